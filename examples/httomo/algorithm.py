"""Sizes of slices for HTTomo's database: see README.md beside this file."""


def _calc_output_dim_recon(non_slice_dims_shape, num_gridx=None, num_gridy=None, **kwargs):
    """Of an array (rows, slices, columns) from one of (views, slices, columns): rows and columns of a slice."""
    columns = non_slice_dims_shape[1]
    return num_gridx or columns, num_gridy or columns
