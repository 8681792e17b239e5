#include "cdcmtk_pixels.h"

#include "Dataset.hpp"
#include "RunLengthHeader.hpp"
#include "Status.hpp"

#include <algorithm>

#include <dcmtk/dcmdata/dccodec.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcxfer.h>

namespace {

/// No codec in DICOM makes an image more than about this many times smaller (deflate: 1032).
constexpr int64_t largestCompression = 1100;
constexpr int64_t largestFrame = int64_t{1} << 31;

}  // namespace

int32_t cdcmtk_can_decode(const char *transfer_syntax_uid) {
    return cdcmtk::guarded(nullptr, 0, [&] {
        cdcmtk_status status;
        cdcmtk_initialize(&status);
        const DcmXfer syntax(transfer_syntax_uid);
        if (syntax.getXfer() == EXS_Unknown) return 0;
        if (!syntax.isEncapsulated()) return 1;
        return DcmCodecList::canChangeCoding(syntax.getXfer(), EXS_LittleEndianExplicit) ? 1 : 0;
    });
}

int64_t cdcmtk_frame_size(cdcmtk_dataset *dataset, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int64_t{-1}, [&]() -> int64_t {
        DcmDataset *const attributes = dataset->file.getDataset();
        Uint16 rows = 0, columns = 0, samples = 1, bits = 0;
        if (attributes->findAndGetUint16(DCM_Rows, rows).bad() || attributes->findAndGetUint16(DCM_Columns, columns).bad()
            || attributes->findAndGetUint16(DCM_BitsAllocated, bits).bad()) {
            cdcmtk::set(status, CDCMTK_MISSING, "Rows, Columns or Bits Allocated is missing");
            return -1;
        }
        if (attributes->findAndGetUint16(DCM_SamplesPerPixel, samples).bad()) samples = 1;
        const int64_t size = int64_t{rows} * columns * samples * ((bits + 7) / 8);
        if (size <= 0 || size > largestFrame || size > largestCompression * dataset->fileSize) {
            cdcmtk::set(status, CDCMTK_MALFORMED, "the frame size cannot be");
            return -1;
        }
        return size;
    });
}

int64_t cdcmtk_decode_frame(
    cdcmtk_dataset *dataset, uint32_t frame, uint32_t *fragment, void *buffer, int64_t capacity, cdcmtk_status *status
) {
    return cdcmtk::guarded(status, int64_t{-1}, [&]() -> int64_t {
        if (!cdcmtk_can_decode(dataset->transferSyntaxUID.c_str())) {
            const std::string name = DcmXfer(dataset->file.getDataset()->getOriginalXfer()).getXferName();
            cdcmtk::set(status, CDCMTK_NOT_SUPPORTED, ("pixel data in " + name + " cannot be decoded").c_str());
            return -1;
        }
        const int64_t size = cdcmtk_frame_size(dataset, status);
        if (size < 0) return -1;
        if (size > capacity) {
            cdcmtk::set(status, CDCMTK_BUFFER_TOO_SMALL, "the buffer does not hold a frame");
            return -1;
        }
        DcmElement *element = nullptr;
        DcmDataset *const attributes = dataset->file.getDataset();
        if (attributes->findAndGetElement(DCM_PixelData, element).bad() || !element) {
            cdcmtk::set(status, CDCMTK_MISSING, "the file has no pixel data");
            return -1;
        }
        auto *const pixels = dynamic_cast<DcmPixelData *>(element);
        Uint32 expected = 0;
        OFString colorModel;
        OFCondition result = pixels ? pixels->getUncompressedFrameSize(attributes, expected) : EC_InvalidTag;
        // Codecs write as many bytes as DCMTK expects, which must be what the caller made room for.
        if (result.good() && expected != size && expected != size + (size & 1)) result = EC_CorruptedData;
        if (result.good() && expected > capacity) result = EC_CorruptedData;
        if (result.good() && !cdcmtk::runLengthSegmentsLieWithin(*attributes, *pixels, frame)) result = EC_CorruptedData;
        if (result.good())
            result = pixels->getUncompressedFrame(
                attributes, frame, *fragment, buffer, static_cast<Uint32>(std::min<int64_t>(capacity, size + (size & 1))), colorModel);
        if (result.bad()) {
            cdcmtk::set(status, CDCMTK_MALFORMED, result.text());
            return -1;
        }
        return size;
    });
}
