"""The worker's random weights, by distribution (random_scale in worker/weights/weight_source.cc): what values a GPU multiplies
decides the power that it draws, and at the power limit its clock, so all programs that are compared must have the same."""
import math


def fill(model):
    """Gives every parameter of a PyTorch model new values, in its own type."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight") and parameter.dim() >= 2:
                parameter.normal_(0, 1 / math.sqrt(parameter.numel() / parameter.shape[0]))
            elif name.endswith("scale_shift_table"):
                parameter.normal_(0, 1 / math.sqrt(parameter.shape[-1]))
            elif name.endswith("weight"):
                parameter.normal_(1, 0.02)  # of a norm
            else:
                parameter.normal_(0, 0.02)  # a bias
