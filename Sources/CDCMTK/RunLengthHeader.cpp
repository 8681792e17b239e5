#include "RunLengthHeader.hpp"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

namespace {

constexpr uint32_t headerSize = 64, largestSegmentCount = 15;

uint32_t littleEndian(const Uint8 *bytes) {
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

}

bool cdcmtk::runLengthSegmentsLieWithin(DcmDataset &attributes, DcmPixelData &pixels, unsigned frame) {
    E_TransferSyntax syntax = EXS_Unknown;
    const DcmRepresentationParameter *parameter = nullptr;
    pixels.getOriginalRepresentationKey(syntax, parameter);
    if (syntax != EXS_RLELossless) return true;
    DcmPixelSequence *fragments = nullptr;
    if (pixels.getEncapsulatedRepresentation(syntax, parameter, fragments).bad() || !fragments) return false;

    // A frame is one fragment (PS3.5 A.4.2); the first item is the offset table.
    Sint32 frames = 1;
    if (attributes.findAndGetSint32(DCM_NumberOfFrames, frames).bad() || frames < 1) frames = 1;
    const unsigned long items = fragments->card();
    if (items != static_cast<unsigned long>(frames) + 1 && frames != 1) return false;
    DcmPixelItem *item = nullptr;
    Uint8 *bytes = nullptr;
    if (fragments->getItem(item, frame + 1).bad() || !item || item->getLength() < headerSize || item->getUint8Array(bytes).bad() || !bytes) return false;

    uint64_t length = 0;  // A single frame may have been cut into several fragments all the same.
    for (unsigned long index = frame + 1; index < (frames == 1 ? items : frame + 2ul); ++index) {
        DcmPixelItem *part = nullptr;
        if (fragments->getItem(part, index).bad() || !part) return false;
        length += part->getLength();
    }
    const uint32_t count = littleEndian(bytes);
    if (count < 1 || count > largestSegmentCount) return false;
    uint32_t previous = headerSize;
    for (uint32_t segment = 0; segment < count; ++segment) {
        const uint32_t offset = littleEndian(bytes + 4 + 4 * segment);
        if (offset < previous || offset >= length) return false;
        previous = offset;
    }
    return true;
}
