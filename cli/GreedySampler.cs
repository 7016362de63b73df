using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Data.Tokenizers;
using Tensor = LoRTA.Onnx.GraphGen.Ir.Tensor;

namespace LoRTA.Onnx.Cli;

/// <summary>Continues a text with the likeliest token each time, by running the whole text again: enough for a short sample of a small decoder without cache.</summary>
internal static class GreedySampler
{
    public static string Continue(Model model, TextTokenizer tokenizer, IGraphEvaluator evaluator, string prompt, int tokens)
    {
        using var graph = evaluator.Compile(model);
        var ids = tokenizer.EncodeWithSpecialTokens(prompt).Ids.ToList();
        for (var i = 0; i < tokens; i++)
        {
            var next = Likeliest(graph.Run(Inputs(ids))["logits"]);
            if (next == tokenizer.Special.Eos) break;
            ids.Add(next);
        }
        return tokenizer.Decode(ids);
    }

    private static Dictionary<string, Tensor> Inputs(List<int> ids)
    {
        long[] dims = [1, ids.Count];
        return new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["input_ids"] = Tensor.Of<long>(dims, [.. ids.Select(id => (long)id)]),
            ["attention_mask"] = Tensor.Of<long>(dims, [.. ids.Select(_ => 1L)]),
            ["position_ids"] = Tensor.Of<long>(dims, [.. Enumerable.Range(0, ids.Count).Select(i => (long)i)]),
        };
    }

    private static int Likeliest(Tensor logits)
    {
        var vocabulary = (int)logits.Dims[^1];
        return TensorPrimitives.IndexOfMax<float>(logits.ToFloats().AsSpan(^vocabulary..));
    }
}
