"""Model folders: written whole or not at all, verified before any byte is used, never a pickle.

limits          how large and how deep a file may be, and which files there may be
strict_json     JSON text <-> values, bounded and unambiguous
schema          values <-> frozen dataclasses, with a closed schema
tensors         named arrays <-> safetensors, the header checked first
vocabulary      a list of words <-> JSON
fingerprints    SHA-256 of bytes and of texts
atomic          a whole folder put in place in one step
manifest        what a model folder is and holds, sealed
folders         the model folder: publish, open
"""
