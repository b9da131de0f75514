"""What the pairs over Amazon Bedrock's Converse share: content blocks, turns, and what families of models differ in.

Shapes are those of https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""
