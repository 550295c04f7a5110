"""Clinical read-outs: response and progression of virtual patients."""
