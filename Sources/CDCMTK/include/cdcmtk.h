#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// The version of the DCMTK library, e.g. "3.6.7".
const char *cdcmtk_version(void);

#ifdef __cplusplus
}
#endif
