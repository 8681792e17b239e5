#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// PNG by libpng, without its error jumps: every function returns 0 and sets nothing when it fails.

/// Encodes 8-bit pixels, rows from the top without padding; `channels` is 1 (grey) or 3 (RGB). No metadata is written.
/// `small` spends about ten times as long for a smaller file. The result in `*data` is freed with `cpng_free`.
int cpng_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int small, uint8_t **data, size_t *count);

/// Decodes any PNG to 8-bit RGB in sRGB; alpha is laid over black. `*pixels` is freed with `cpng_free`.
int cpng_decode(const uint8_t *data, size_t count, uint8_t **pixels, uint32_t *width, uint32_t *height);

void cpng_free(void *memory);

/// The version of libpng that is used.
const char *cpng_version(void);

#ifdef __cplusplus
}
#endif

#endif
