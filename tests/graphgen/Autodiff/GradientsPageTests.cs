using System.Text;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

/// <summary>Holds the table of <c>docs/gradients.md</c> against the rules; with <c>LORTA_WRITE_DOCS=1</c> the table is written instead.</summary>
internal sealed class GradientsPageTests
{
    private const string Heading = "| gradient | operators |\n| --- | --- |\n";

    // Every operator of ai.onnx at opset 21 that is not deprecated there.
    private static readonly string[] Opset21 =
        """
        Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
        BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum
        DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND
        Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If
        ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool
        MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional
        OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal
        ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign
        Round STFT Scan ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin
        Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub Sum Tan Tanh
        TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Where Xor
        """.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);

    [Test]
    public void Every_operator_of_opset_21_is_decided_on() => Assert.That(Opset21.Where(op => LortaCatalog.Default.RuleOf(op) is null), Is.Empty);

    [Test]
    public void Page_says_what_the_rules_are()
    {
        var path = Path.Combine(Fixtures.Repository, "docs", "gradients.md");
        var (page, table) = (File.ReadAllText(path).ReplaceLineEndings("\n"), Table());
        var start = page.IndexOf(Heading, StringComparison.Ordinal);
        var end = page.IndexOf("\n\n", start, StringComparison.Ordinal) + 1;

        if (Environment.GetEnvironmentVariable("LORTA_WRITE_DOCS") == "1") File.WriteAllText(path, page[..start] + table + page[end..]);
        else Assert.That(page[start..end], Is.EqualTo(table));
    }

    private static string Table()
    {
        var table = new StringBuilder(Heading);
        var rules = GradientRules.All.OrderBy(rule => rule.Op, StringComparer.Ordinal).ToList();
        Row("derived", rules.Where(rule => rule is { Inputs: not null, Reason: null }));
        Row("none: the result is not a float that varies, or is constant wherever it is smooth", rules.Where(rule => rule.Inputs is null));
        foreach (var reason in rules.Where(rule => rule.Reason is not null).GroupBy(rule => rule.Reason)) Row($"refused: {reason.Key}", reason);
        return table.ToString();

        void Row(string gradient, IEnumerable<GradientRule> operators) => table.Append($"| {gradient} | {string.Join(", ", operators.Select(rule => $"`{rule.Op}`"))} |\n");
    }
}
