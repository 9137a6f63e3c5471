from records import _full, crossbar, full, minimal, multilabel, regress, spiking, whole_crossbar, whole_spiking
