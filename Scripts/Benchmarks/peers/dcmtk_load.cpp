// A plain DCMTK loop that loads a folder of single-frame CT images into one volume: the yardstick for the series load.
//
//   g++ -O2 -std=c++17 -pthread dcmtk_load.cpp -o dcmtk_load -ldcmdata -loflog -lofstd
//   ./dcmtk_load FOLDER [threads = 2] [runs = 9]
//
// Prints the median seconds of opening every file, sorting by z, and rescaling the pixels into Int16.

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Image {
    std::unique_ptr<DcmFileFormat> file;
    double z = 0;
};

template <typename Body>
void onThreads(int threads, size_t count, Body body) {
    std::atomic<size_t> next{0};
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
        workers.emplace_back([&] { for (size_t i; (i = next++) < count;) body(i); });
    for (auto &worker : workers) worker.join();
}

long load(const std::vector<std::string> &paths, int threads) {
    std::vector<Image> images(paths.size());
    onThreads(threads, paths.size(), [&](size_t i) {
        images[i].file = std::make_unique<DcmFileFormat>();
        if (images[i].file->loadFile(paths[i].c_str()).bad()) std::exit(1);
        images[i].file->getDataset()->findAndGetFloat64(DCM_ImagePositionPatient, images[i].z, 2);
    });
    std::sort(images.begin(), images.end(), [](const Image &a, const Image &b) { return a.z < b.z; });
    Uint16 rows = 0, columns = 0;
    images[0].file->getDataset()->findAndGetUint16(DCM_Rows, rows);
    images[0].file->getDataset()->findAndGetUint16(DCM_Columns, columns);
    const size_t count = size_t{rows} * columns;
    std::unique_ptr<Sint16[]> volume(new Sint16[count * images.size()]);
    onThreads(threads, images.size(), [&](size_t i) {
        DcmDataset *dataset = images[i].file->getDataset();
        Float64 slope = 1, intercept = 0;
        dataset->findAndGetFloat64(DCM_RescaleSlope, slope);
        dataset->findAndGetFloat64(DCM_RescaleIntercept, intercept);
        const Uint16 *pixels = nullptr;
        if (dataset->findAndGetUint16Array(DCM_PixelData, pixels).bad()) std::exit(1);
        Sint16 *slice = volume.get() + i * count;
        for (size_t p = 0; p < count; ++p)
            slice[p] = static_cast<Sint16>(static_cast<Sint16>(pixels[p]) * static_cast<int>(slope) + static_cast<int>(intercept));
        images[i].file.reset();
    });
    return volume[count / 2];
}

}  // namespace

int main(int argumentCount, char **arguments) {
    if (argumentCount < 2) return std::fprintf(stderr, "usage: dcmtk_load FOLDER [threads] [runs]\n"), 64;
    const int threads = argumentCount > 2 ? std::atoi(arguments[2]) : 2, runs = argumentCount > 3 ? std::atoi(arguments[3]) : 9;
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    std::vector<std::string> paths;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(arguments[1]))
        if (entry.is_regular_file()) paths.push_back(entry.path().string());
    std::vector<double> seconds;
    long check = 0;
    for (int run = 0; run < runs; ++run) {
        const auto start = std::chrono::steady_clock::now();
        check += load(paths, threads);
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    std::printf("dcmtk %d threads: %.4f s (check %ld)\n", threads, seconds[seconds.size() / 2], check);
}
