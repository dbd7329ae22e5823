// Filled with its header's functions.
