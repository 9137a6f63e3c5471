from records import _full, full, minimal, multilabel, regress
