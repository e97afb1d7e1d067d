"""Every limit on what is read from or written to a model folder.

They hold in both directions: what they forbid is refused on writing too, so whatever was saved can be loaded.
"""

KIB, MIB, GIB = 1024, 1024**2, 1024**3

MANIFEST = "manifest.json"
CONFIG = "config.json"
WEIGHTS = "weights.safetensors"
TOKENIZER = "tokenizer.json"
VOCABULARY = "vocabulary.json"

# The only files a model folder may hold, each with the most bytes it may have.
MOST_FILE_BYTES = {
    MANIFEST: 256 * KIB,
    CONFIG: 4 * MIB,
    WEIGHTS: 4 * GIB,
    TOKENIZER: 64 * MIB,
    VOCABULARY: 64 * MIB,
}

# A JSON file of settings in a folder that others wrote; a tokenizer's may list its added tokens.
MOST_SETTINGS_BYTES = 16 * MIB

MOST_JSON_BYTES = 64 * MIB
MOST_JSON_DEPTH = 32
# Commas, colons and brackets: a bound on the number of values, and so on the memory they take once read.
MOST_JSON_MARKS = 4_000_000
MOST_JSON_KEYS = 1_000_000
# Whole numbers fit a signed 64-bit integer.
LARGEST_WHOLE_NUMBER = 2**63 - 1

MOST_HEADER_BYTES = 8 * MIB
MOST_TENSORS = 20_000
MOST_DIMENSIONS = 8
LONGEST_TENSOR_NAME = 256

