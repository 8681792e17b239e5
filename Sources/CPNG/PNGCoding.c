#include "cpng.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
} Buffer;

static void append(png_structp png, png_bytep bytes, size_t count) {
    Buffer *buffer = png_get_io_ptr(png);
    if (buffer->capacity - buffer->count < count) {
        size_t capacity = 2 * (buffer->count + count);
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) png_error(png, "out of memory");
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count += count;
}

static void flush(png_structp png) { (void)png; }
static void stayQuiet(png_structp png, png_const_charp message) { (void)png, (void)message; }
static void jump(png_structp png, png_const_charp message) {
    (void)message;
    png_longjmp(png, 1);
}

int cpng_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int small, uint8_t **data, size_t *count) {
    if (channels != 1 && channels != 3) return 0;
    const size_t rowBytes = (size_t)width * (size_t)channels;
    Buffer *buffer = calloc(1, sizeof(Buffer));  // On the heap, so that its content is defined after a jump.
    if (!buffer) return 0;
    buffer->capacity = rowBytes * height / 4 + 1024;
    buffer->bytes = malloc(buffer->capacity);
    png_structp png = buffer->bytes ? png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, jump, stayQuiet) : NULL;
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        free(buffer->bytes);
        free(buffer);
        return 0;
    }
    png_set_write_fn(png, buffer, append, flush);
    png_set_IHDR(png, info, width, height, 8, channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    // One fixed filter saves the trial of all five for each row, which costs more than level 1 itself.
    png_set_filter(png, PNG_FILTER_TYPE_BASE, small ? PNG_ALL_FILTERS : PNG_FILTER_UP);
    png_set_compression_level(png, small ? 6 : 1);
    png_set_compression_strategy(png, small ? Z_FILTERED : Z_DEFAULT_STRATEGY);
    png_set_compression_mem_level(png, 9);
    png_set_compression_buffer_size(png, 1 << 18);
    png_write_info(png, info);
    for (uint32_t row = 0; row < height; row++) png_write_row(png, pixels + row * rowBytes);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    *data = buffer->bytes;
    *count = buffer->count;
    free(buffer);
    return 1;
}

int cpng_decode(const uint8_t *data, size_t count, uint8_t **pixels, uint32_t *width, uint32_t *height) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, data, count)) return 0;
    image.format = PNG_FORMAT_RGB;
    uint8_t *memory = malloc(PNG_IMAGE_SIZE(image));
    const png_color black = {0, 0, 0};
    if (!memory || !png_image_finish_read(&image, &black, memory, 0, NULL)) {
        png_image_free(&image);
        free(memory);
        return 0;
    }
    *pixels = memory;
    *width = image.width;
    *height = image.height;
    return 1;
}

void cpng_free(void *memory) { free(memory); }

const char *cpng_version(void) { return png_get_libpng_ver(NULL); }
