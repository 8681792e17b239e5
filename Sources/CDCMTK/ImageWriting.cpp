#include "include/cdcmtk_write.h"

#include "include/cdcmtk.h"

#include <cstdio>
#include <exception>
#include <mutex>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpls/djencode.h>
#include <dcmtk/dcmjpls/djrparam.h>

namespace {

constexpr int failed = 1;

int fail(char *message, size_t capacity, const std::string &reason) {
    if (message && capacity > 0) std::snprintf(message, capacity, "%s", reason.c_str());
    return failed;
}

void registerEncoders() {
    static std::once_flag once;
    std::call_once(once, [] {
        DcmRLEEncoderRegistration::registerCodecs();
        DJEncoderRegistration::registerCodecs();
        DJLSEncoderRegistration::registerCodecs();
    });
}

/// Sets the byte after an odd-sized JPEG stream's end marker to 0: DCMTK leaves whatever its buffer held.
void clearPadding(DcmDataset &dataset, E_TransferSyntax syntax, const DcmRepresentationParameter *parameter) {
    DcmElement *element = nullptr;
    if (dataset.findAndGetElement(DCM_PixelData, element).bad()) return;
    auto *pixels = dynamic_cast<DcmPixelData *>(element);
    DcmPixelSequence *sequence = nullptr;
    if (!pixels || pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).bad() || !sequence) return;
    for (unsigned long index = 1; index < sequence->card(); ++index) {
        DcmPixelItem *item = nullptr;
        Uint8 *bytes = nullptr;
        if (sequence->getItem(item, index).bad() || item->getUint8Array(bytes).bad() || !bytes) continue;
        const Uint32 length = item->getLength();
        if (length >= 3 && bytes[length - 3] == 0xFF && bytes[length - 2] == 0xD9) bytes[length - 1] = 0;
    }
}

/// Encodes the pixels of `dataset` in place.
OFCondition encode(DcmDataset &dataset, E_TransferSyntax syntax) {
    registerEncoders();
    DcmRLERepresentationParameter rle;
    DJ_RPLossless jpeg(1, 0);  // Prediction from the left neighbour, no point transform: process 14, selection value 1.
    DJLSRepresentationParameter jpegLS(0, OFTrue);
    const DcmRepresentationParameter *parameter = nullptr;
    switch (syntax) {
        case EXS_RLELossless: parameter = &rle; break;
        case EXS_JPEGProcess14SV1: parameter = &jpeg; break;
        case EXS_JPEGLSLossless: parameter = &jpegLS; break;
        default: break;
    }
    const OFCondition condition = dataset.chooseRepresentation(syntax, parameter);
    if (condition.bad()) return condition;
    clearPadding(dataset, syntax, parameter);
    return dataset.canWriteXfer(syntax) ? EC_Normal : EC_UnsupportedEncoding;
}

}  // namespace

int cdcmtk_write_image(
    const char *path, const cdcmtk_text_element *elements, size_t element_count, const uint16_t *pixels, uint16_t rows,
    uint16_t columns, const char *transfer_syntax, char *message, size_t capacity) {
    try {
        cdcmtk_status status{};
        cdcmtk_initialize(&status);
        if (!dcmDataDict.isDictionaryLoaded()) return fail(message, capacity, "DCMTK's data dictionary could not be loaded");
        const DcmXfer xfer(transfer_syntax);
        const E_TransferSyntax syntax = xfer.getXfer();
        switch (syntax) {
            case EXS_LittleEndianImplicit:
            case EXS_LittleEndianExplicit:
            case EXS_RLELossless:
            case EXS_JPEGProcess14SV1:
            case EXS_JPEGLSLossless: break;
            default: return fail(message, capacity, std::string("cannot write transfer syntax ") + transfer_syntax);
        }

        DcmFileFormat file;
        DcmDataset &dataset = *file.getDataset();
        OFCondition condition = dataset.putAndInsertUint16(DCM_Rows, rows);
        if (condition.good()) condition = dataset.putAndInsertUint16(DCM_Columns, columns);
        for (size_t index = 0; index < element_count && condition.good(); ++index) {
            const cdcmtk_text_element &element = elements[index];
            const DcmTag tag(element.group, element.element);
            condition = dataset.putAndInsertString(tag, element.value);
            if (condition.bad()) {
                char name[16];
                std::snprintf(name, sizeof name, "(%04x,%04x)", element.group, element.element);
                return fail(message, capacity, std::string("element ") + name + ": " + condition.text());
            }
        }
        if (condition.good())
            condition = dataset.putAndInsertUint16Array(DCM_PixelData, pixels, static_cast<unsigned long>(rows) * columns);
        if (condition.good() && xfer.isEncapsulated()) condition = encode(dataset, syntax);
        if (condition.good()) condition = file.saveFile(path, syntax, EET_ExplicitLength);
        return condition.good() ? 0 : fail(message, capacity, condition.text());
    } catch (const std::exception &error) {
        return fail(message, capacity, error.what());
    } catch (...) {
        return fail(message, capacity, "unknown error");
    }
}
