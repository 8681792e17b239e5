#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace cdcmtk {

/// DCMTK reads nested sequences by recursion, so that a file can exhaust the stack. No real object nests nearly this deep.
constexpr size_t deepestNesting = 100;

/// Whether items nest deeper than that, judged by item tags and their lengths alone.
inline bool nestsTooDeep(const unsigned char *bytes, size_t count) {
    std::vector<uint64_t> ends;  // where open items end
    for (size_t at = 0; at + 8 <= count; ++at) {
        const auto *const found = static_cast<const unsigned char *>(std::memchr(bytes + at, 0xFE, count - at));
        if (!found) return false;
        size_t tag = static_cast<size_t>(found - bytes);
        at = tag;
        const bool isLittle = tag + 8 <= count && bytes[tag + 1] == 0xFF && bytes[tag + 3] == 0xE0;
        const bool isBig = !isLittle && tag > 0 && tag + 7 <= count && bytes[tag - 1] == 0xFF && bytes[tag + 1] == 0xE0;
        if (!isLittle && !isBig) continue;
        if (isBig) --tag;
        const unsigned char element = bytes[tag + (isLittle ? 2 : 3)];
        const unsigned char *const l = bytes + tag + 4;
        const uint32_t length = isLittle ? l[0] | l[1] << 8 | l[2] << 16 | uint32_t{l[3]} << 24 : uint32_t{l[0]} << 24 | l[1] << 16 | l[2] << 8 | l[3];
        while (!ends.empty() && ends.back() <= tag) ends.pop_back();
        if (element == 0x0D && !ends.empty()) ends.pop_back();
        if (element == 0x00) ends.push_back(length == 0xFFFFFFFF ? UINT64_MAX : tag + 8 + uint64_t{length});
        if (ends.size() > deepestNesting) return true;
    }
    return false;
}

}  // namespace cdcmtk
