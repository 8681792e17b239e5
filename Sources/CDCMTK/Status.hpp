#pragma once

#include "cdcmtk.h"

#include <cstdio>
#include <exception>
#include <new>

/// What the functions of this module share; not part of the C interface.
namespace cdcmtk {

inline void set(cdcmtk_status *status, cdcmtk_code code, const char *text) {
    if (!status) return;
    status->code = code;
    std::snprintf(status->text, sizeof status->text, "%s", text);
}

inline void clear(cdcmtk_status *status) { set(status, CDCMTK_OK, ""); }

/// Runs `body` and turns whatever it throws into a status and `failure`.
template <typename Result, typename Body>
Result guarded(cdcmtk_status *status, Result failure, Body body) noexcept {
    try {
        clear(status);
        return body();
    } catch (const std::bad_alloc &) {
        set(status, CDCMTK_MALFORMED, "more memory is asked for than there is");
    } catch (const std::exception &error) {
        set(status, CDCMTK_INTERNAL, error.what());
    } catch (...) {
        set(status, CDCMTK_INTERNAL, "unknown failure");
    }
    return failure;
}

}  // namespace cdcmtk
