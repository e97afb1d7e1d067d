"""What a model does with one text: attribution, attention, recurrent traces, receptive fields; values, no drawing."""
