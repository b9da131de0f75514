"""Code shared by the pairs over Amazon Bedrock's Converse: content blocks, turns, and model families.

Shapes are those of https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""
