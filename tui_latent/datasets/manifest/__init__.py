"""Tables of images as a dataset: a row for each image, in a text, Parquet or Arrow file or in
WebDataset shards."""
