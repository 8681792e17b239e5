#include "Status.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcobject.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

#include <mutex>

const char *cdcmtk_version(void) { return OFFIS_DCMTK_VERSION_STRING; }

void cdcmtk_initialize(cdcmtk_status *status) {
    static std::once_flag once;
    static bool hasDictionary = false;
    cdcmtk::guarded(status, 0, [&] {
        std::call_once(once, [] {
            OFLog::configure(OFLogger::OFF_LOG_LEVEL);  // DCMTK would write to stderr by itself.
            DcmRLEDecoderRegistration::registerCodecs();
            // Colour conversion would need planes that are not read here; only grey values are of use.
            DJDecoderRegistration::registerCodecs(EDC_never);
            DJLSDecoderRegistration::registerCodecs();
            hasDictionary = dcmDataDict.isDictionaryLoaded();
        });
        if (!hasDictionary)
            cdcmtk::set(status, CDCMTK_INTERNAL, "DCMTK's data dictionary was not found: install DCMTK completely or set DCMDICTPATH");
        return 0;
    });
}
