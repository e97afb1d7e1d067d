"""A run killed by SIGKILL at random instants, again and again, ends with the weights of one that was not.

This file is also the helper that is killed: it imports everything once, and then trains in forked children.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from scansion.families.lstm import LSTM
from scansion.families.rnn import RNN
from scansion.families.transformer import Transformer
from scansion.heads.labels import LabelsHead
from scansion.learning.checkpoints import Checkpoints, Stop
from scansion.learning.gradient import Alone, Training
from scansion.learning.readers import Learned, ReaderJob, learn_reader
from scansion.storage.runs import Run
from scansion.tasks.fitting import examples_of
from scansion.text.tables import read_table
from scansion.text.vocabulary import Vocabulary
from scansion.text.words import read_words
