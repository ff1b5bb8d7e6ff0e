"""Generative classification: next-token loss on the one answer token, as SWE-RM trains its verifier
(arXiv 2512.21919), beside a language loss on the trajectory's own unmasked tokens.

`batch` examples → tensors · `loss` what is minimised · `plan` the order of all batches · `loop` steps,
checkpoints, looks · `__main__` the command
"""
