/* What this netc calls itself. */
#ifndef NETC_FRONTEND_API_VERSION_H
#define NETC_FRONTEND_API_VERSION_H

#define NETC_VERSION "0.1.0"

#endif
