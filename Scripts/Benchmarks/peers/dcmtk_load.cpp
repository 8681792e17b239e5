// What a plain DCMTK program needs to load a CT series: two threads read the files, then the slices are put in their order.
// Reads "load" from standard input, answers with seconds and one voxel.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Slice {
    double position = 0;
    std::vector<int16_t> pixels;
    Uint16 rows = 0, columns = 0;
};

bool readSlice(const std::string &path, Slice &slice) {
    DcmFileFormat file;
    if (file.loadFile(path.c_str()).bad()) return false;
    DcmDataset *data = file.getDataset();
    Float64 slope = 1, intercept = 0;
    const Uint16 *words = nullptr;
    unsigned long count = 0;
    if (data->findAndGetFloat64(DCM_ImagePositionPatient, slice.position, 2).bad()) return false;
    if (data->findAndGetFloat64(DCM_RescaleSlope, slope).bad()) slope = 1;
    data->findAndGetFloat64(DCM_RescaleIntercept, intercept);
    data->findAndGetUint16(DCM_Rows, slice.rows);
    data->findAndGetUint16(DCM_Columns, slice.columns);
    if (data->findAndGetUint16Array(DCM_PixelData, words, &count).bad()) return false;
    slice.pixels.resize(count);
    const int scale = static_cast<int>(slope), offset = static_cast<int>(intercept);
    for (unsigned long i = 0; i < count; ++i) slice.pixels[i] = static_cast<int16_t>(static_cast<int16_t>(words[i]) * scale + offset);
    return true;
}

std::vector<int16_t> loadSeries(const std::string &folder, size_t &sliceSize) {
    std::vector<std::string> paths;
    for (const auto &entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path().string());
    std::vector<Slice> slices(paths.size());
    std::atomic<size_t> next{0};
    auto work = [&] {
        for (size_t i; (i = next++) < paths.size();)
            if (!readSlice(paths[i], slices[i])) std::fprintf(stderr, "cannot read %s\n", paths[i].c_str());
    };
    std::thread second(work);
    work();
    second.join();
    std::sort(slices.begin(), slices.end(), [](const Slice &a, const Slice &b) { return a.position < b.position; });
    sliceSize = slices.empty() ? 0 : slices[0].pixels.size();
    std::vector<int16_t> volume(sliceSize * slices.size());
    for (size_t k = 0; k < slices.size(); ++k)
        if (slices[k].pixels.size() == sliceSize) std::copy(slices[k].pixels.begin(), slices[k].pixels.end(), volume.begin() + k * sliceSize);
    return volume;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: dcmtk_load FOLDER\n");
        return 64;
    }
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        const auto start = std::chrono::steady_clock::now();
        size_t sliceSize = 0;
        const std::vector<int16_t> volume = loadSeries(argv[1], sliceSize);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        const size_t voxel = 300 + 200 * 512 + 100 * sliceSize;
        std::cout << seconds.count() << " " << (voxel < volume.size() ? volume[voxel] : -1) << std::endl;
    }
}
