using LoRTA.Onnx.GraphGen.Autodiff.Rules;

namespace LoRTA.Onnx.GraphGen.Autodiff;

/// <summary>The rules of this project. What derives a gradient asks a <see cref="LortaCatalog"/>; users add theirs to one, not
/// here.</summary>
internal static class GradientRules
{
    public static readonly IReadOnlyList<GradientRule> All =
    [
        .. ElementwiseRules.All,
        .. ActivationRules.All,
        .. ProductRules.All,
        .. ConvolutionRules.All,
        .. PoolingRules.All,
        .. ResizingRules.All,
        .. NormalizationRules.All,
        .. ChannelNormRules.All,
        .. ReductionRules.All,
        .. ShapeRules.All,
        .. IndexingRules.All,
        .. LossRules.All,
        .. GradientRule.NoGradient(
            "Shape", "Size", "ArgMax", "ArgMin", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not", "Xor",
            "IsNaN", "IsInf", "NonZero", "OneHot", "Range", "Constant", "ConstantOfShape", "EyeLike", "Floor", "Ceil", "Round", "Sign",
            "Hardmax", "DequantizeLinear", "QuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv",
            "RandomUniformLike", "RandomNormalLike", "Bernoulli", "Multinomial", "RandomUniform", "RandomNormal",
            "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "NonMaxSuppression",
            "BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix", "ImageDecoder",
            "StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch", "TfIdfVectorizer", "SequenceLength", "OptionalHasElement"),
        .. GradientRule.Refused("a recurrent network, which would have to be unrolled in time", "LSTM", "GRU", "RNN"),
        .. GradientRule.Refused("a graph inside a node", "If", "Loop", "Scan", "SequenceMap"),
        .. GradientRule.Refused("sequences and optional values are not tensors", "ConcatFromSequence", "SequenceAt", "SequenceConstruct",
            "SequenceEmpty", "SequenceErase", "SequenceInsert", "SplitToSequence", "Optional", "OptionalGetElement"),
        .. GradientRule.Refused("complex numbers", "DFT", "STFT"),
        .. GradientRule.Refused("places that are interpolated at computed coordinates", "GridSample", "AffineGrid", "DeformConv",
            "RoiAlign", "MaxRoiPool"),
        .. GradientRule.Refused("the gradient of a determinant takes the inverse, which ONNX does not have", "Det"),
        .. GradientRule.Refused("its scale follows from the largest number that goes in", "DynamicQuantizeLinear"),
        .. GradientRule.Refused("no model between attention and a loss is known that has it", "CenterCropPad", "Col2Im", "MaxUnpool",
            "Unique", "Scatter", "Upsample"),
    ];
}
