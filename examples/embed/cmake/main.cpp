// Names what is in pictures: classify FILE.ppm... (32 x 32).
#include "resnet20.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

namespace {

// The net with a workspace of its own: one thread's. Weights are constant and everyone's.
class Classifier {
  public:
    using Picture = std::array<std::uint8_t, RESNET20_IMAGE_SIZE>; // rows of red, green, blue
    using Scores = std::array<float, RESNET20_LOGITS_SIZE>;

    Scores operator()(const Picture &picture) {
        Scores scores;
        int code = resnet20_forward_u8(resnet20_weights(), 1, picture.data(), scores.data(), workspace_.get(),
                                       RESNET20_WORKSPACE_BYTES);
        if (code != RESNET20_OK) throw std::runtime_error(resnet20_error(code));
        return scores;
    }

  private:
    struct Aligned {
        void operator()(char *at) const { ::operator delete[](at, std::align_val_t(RESNET20_ALIGN)); }
    };
    std::unique_ptr<char, Aligned> workspace_{
        new (std::align_val_t(RESNET20_ALIGN)) char[RESNET20_WORKSPACE_BYTES]};
};

Classifier::Picture read_picture(const std::string &path) {
    Classifier::Picture picture;
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    int width = 0, height = 0, most = 0;
    file >> magic >> width >> height >> most;
    file.get();
    if (magic != "P6" || width != 32 || height != 32 || most != 255)
        throw std::runtime_error(path + ": a 32x32 PPM picture is needed");
    if (!file.read(reinterpret_cast<char *>(picture.data()), picture.size()))
        throw std::runtime_error(path + ": it ends too early");
    return picture;
}

} // namespace

int main(int argc, char **argv) try {
    static const char *const names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                        "dog",      "frog",       "horse", "ship", "truck"};
    Classifier classify;
    for (int k = 1; k < argc; k++) {
        const Classifier::Scores scores = classify(read_picture(argv[k]));
        const auto best = std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (float score : scores) sum += std::exp(double(score) - double(*best));
        std::printf("%s %.4f\n", names[best - scores.begin()], 1 / sum);
    }
    return 0;
} catch (const std::exception &why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 1;
}
