using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

/// <summary>Gradients of weights of whole models, as exported (those at opset 18, which need no canonical graph).</summary>
internal sealed class WholeModelTests
{
    private const long Rows = 2;
    private const long Length = 6;

    [TestCase("llama-mini/dynamo18.onnx", "causal-lm")]
    [TestCase("esm-mini/mlm.dynamo18.onnx", "masked-lm")]
    [TestCase("esm-mini/mlm.optimum.onnx", "masked-lm")]
    [TestCase("roberta-mini/seqcls.dynamo18.onnx", "classification")]
    [TestCase("roberta-mini/seqcls.optimum.onnx", "classification")]
    public void Gradient_of_weights_is_that_of_central_differences(string file, string task)
    {
        var model = OnnxModel.Load(Fixtures.Path(["models", .. file.Split('/')]));
        var graph = model.Graph;
        ShapeInference.Infer(graph);
        var tape = new Tape(graph);
        var loss = LortaCatalog.Default.LossOf(task).Write(tape).Loss;
        graph.ClearOutputs();
        graph.AddOutput(loss.Value);
        model.OpsetVersions["com.microsoft"] = 1;
        var weights = graph.Nodes.Where(node => node.Op is "MatMul" or "Gemm" && node.Input(1)!.IsConstant).Select(node => node.Input(1)!).Distinct().ToArray();
        var (feeds, names) = (new Dictionary<string, OnnxTensor>(), new List<string>());
        foreach (var weight in new[] { weights[0], weights[weights.Length / 2], weights[^1] })
        {
            names.Add(weight.Name);
            feeds[weight.Name] = OnnxTensor.Of<float>([.. weight.Constant!.Dims], weight.Constant.ToFloats());
            weight.Constant = null;
            (weight.IsExternal, weight.Declaration) = (false, default);
            graph.MakeInput(weight);
        }
        foreach (var input in graph.Inputs.Where(input => !feeds.ContainsKey(input.Name))) feeds[input.Name] = Feed(input);

        GradientCheck.Run(model, feeds, names, tolerance: 2e-3);
    }

    private static OnnxTensor Feed(Value input)
    {
        var random = new SeededRandom(0, input.Name);
        long[] dims = input.Rank == 1 ? [Rows] : [Rows, Length];
        var values = Enumerable.Range(0, (int)dims.Aggregate(1L, (a, b) => a * b)).Select(i => (long)(input.Name switch
        {
            "attention_mask" => i < (2 * Length) - 2 ? 1 : 0,   // the second row ends in two padded positions
            "position_ids" => i % (int)Length,
            "token_type_ids" => 0,
            "labels" when dims.Length == 1 => i % 2,
            "labels" => i is 0 or > 9 ? TaskLosses.Ignored : 5 + random.NextIndex(15),
            _ => 5 + random.NextIndex(15),
        }));
        return OnnxTensor.Of<long>(dims, [.. values]);
    }
}
