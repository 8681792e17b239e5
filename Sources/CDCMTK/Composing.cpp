#include "cdcmtk_compose.h"

#include "Dataset.hpp"
#include "Status.hpp"
#include "Text.hpp"

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcsequen.h>
#include <dcmtk/dcmsr/dsrdoc.h>

#include <cerrno>
#include <cstring>

namespace {

int32_t outcome(const OFCondition &condition, cdcmtk_code code, cdcmtk_status *status) {
    if (condition.good()) return 1;
    cdcmtk::set(status, code, condition.text());
    return 0;
}

/// What `body` does with an item, as an outcome.
template <typename Body>
int32_t editing(cdcmtk_status *status, Body body) noexcept {
    return cdcmtk::guarded(status, int32_t{0}, [&] { return outcome(body(), CDCMTK_INTERNAL, status); });
}

}  // namespace

cdcmtk_dataset *cdcmtk_dataset_create(cdcmtk_status *status) {
    return cdcmtk::guarded(status, static_cast<cdcmtk_dataset *>(nullptr), [&]() -> cdcmtk_dataset * {
        cdcmtk_initialize(status);
        return status->code == CDCMTK_OK ? new cdcmtk_dataset : nullptr;
    });
}

int32_t cdcmtk_item_set_string(const cdcmtk_item *item, uint32_t tag, const char *value, cdcmtk_status *status) {
    return editing(status, [&] { return cdcmtk::item(item)->putAndInsertString(DcmTag(cdcmtk::key(tag)), value); });
}

int32_t cdcmtk_item_set_doubles(const cdcmtk_item *item, uint32_t tag, const double *values, int64_t count, cdcmtk_status *status) {
    return editing(status, [&] {
        return cdcmtk::item(item)->putAndInsertFloat64Array(DcmTag(cdcmtk::key(tag)), values, static_cast<unsigned long>(count));
    });
}

int32_t cdcmtk_item_set_bytes(const cdcmtk_item *item, uint32_t tag, const uint8_t *bytes, int64_t count, cdcmtk_status *status) {
    return editing(status, [&] {
        DcmTag key(cdcmtk::key(tag));
        if (key == DCM_PixelData) key.setVR(DcmVR(EVR_OB));
        return cdcmtk::item(item)->putAndInsertUint8Array(key, bytes, static_cast<unsigned long>(count));
    });
}

int32_t cdcmtk_item_set_empty(const cdcmtk_item *item, uint32_t tag, cdcmtk_status *status) {
    return editing(status, [&] { return cdcmtk::item(item)->insertEmptyElement(DcmTag(cdcmtk::key(tag))); });
}

int32_t cdcmtk_item_copy(const cdcmtk_item *item, const cdcmtk_item *source, uint32_t tag, cdcmtk_status *status) {
    return editing(status, [&]() -> OFCondition {
        DcmElement *copy = nullptr;
        OFCondition condition = cdcmtk::item(source)->findAndGetElement(cdcmtk::key(tag), copy, OFFalse, OFTrue);
        if (condition.good()) condition = cdcmtk::item(item)->insert(copy, OFTrue);
        if (condition.bad()) delete copy;
        return condition;
    });
}

const cdcmtk_item *cdcmtk_item_append(const cdcmtk_item *item, uint32_t sequence, cdcmtk_status *status) {
    return cdcmtk::guarded(status, static_cast<const cdcmtk_item *>(nullptr), [&]() -> const cdcmtk_item * {
        DcmItem *added = nullptr;
        constexpr signed long atTheEnd = -2;
        const OFCondition condition = cdcmtk::item(item)->findOrCreateSequenceItem(DcmTag(cdcmtk::key(sequence)), added, atTheEnd);
        return outcome(condition, CDCMTK_INTERNAL, status) ? reinterpret_cast<const cdcmtk_item *>(added) : nullptr;
    });
}

int32_t cdcmtk_dataset_convert_to_utf8(cdcmtk_dataset *dataset, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int32_t{0}, [&] {
        cdcmtk::convertToUTF8(*dataset->file.getDataset());
        return 1;
    });
}

int32_t cdcmtk_dataset_save(cdcmtk_dataset *dataset, const char *path, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int32_t{0}, [&] {
        errno = 0;
        const OFCondition condition = dataset->file.saveFile(OFFilename(path), EXS_LittleEndianExplicit, EET_ExplicitLength);
        if (condition.good()) return 1;
        // Of a disk that is full DCMTK only says that the stream ended.
        cdcmtk::set(status, CDCMTK_CANNOT_WRITE, errno ? std::strerror(errno) : condition.text());
        return 0;
    });
}

int32_t cdcmtk_report_check(const char *path, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int32_t{0}, [&] {
        DcmFileFormat file;
        DSRDocument document;
        OFCondition condition = file.loadFile(OFFilename(path));
        if (condition.good()) condition = document.read(*file.getDataset());
        if (condition.good() && !document.isValid()) condition = SR_EC_InvalidDocument;
        return outcome(condition, CDCMTK_MALFORMED, status);
    });
}
