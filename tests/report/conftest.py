from records import _full, crossbar, full, minimal, multilabel, regress, spiking
