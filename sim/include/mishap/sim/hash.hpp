#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mishap {

/// Scrambles a word so that every bit of the result depends on every bit of it; different words give
/// different results.
///
/// Source: D. Stafford, "Better Bit Mixing" (2011), variant 13, the finaliser of SplitMix64.
constexpr std::uint64_t scramble(std::uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
}

/// Mixes two words into one, `a` being the earlier: the key of a path from its parent's key and its own name,
/// or a digest from what it was and what happens. For a fixed `a` different `b` give different results, and
/// the other way round.
///
/// The first word is spread by an odd multiplier (the golden ratio of SplitMix64, Steele, Lea and Flood 2014,
/// section 4; the addition keeps (0, 0) away from zero), then both are scrambled together.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    return scramble(((a + golden) * golden) ^ b);
}

/// Hashes bytes: 64-bit FNV-1a, then `scramble`, because FNV alone leaves its upper bits poor for short
/// texts.
///
/// Equal on all machines and in all versions: names become keys with it, and keys are written to files.
/// Source: G. Fowler, L. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm".
constexpr std::uint64_t hash_text(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3;
    return scramble(hash);
}

/// Hashes `size` bytes of memory as `hash_text` does.
inline std::uint64_t hash_bytes(const void* bytes, std::size_t size) {
    return hash_text({static_cast<const char*>(bytes), size});
}

}  // namespace mishap
