using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>The last steps of every artifact: its outputs under the names that are promised, and nothing that they do not need.</summary>
internal static class GraphOutputs
{
    /// <summary>Leaves the loss and, where given, the logits.</summary>
    public static void Keep(Expr loss, Value? logits)
    {
        var graph = loss.Tape.Graph;
        graph.ClearOutputs();
        Add(loss, TrainingNames.Loss);
        if (logits is not null) graph.AddOutput(logits);
    }

    /// <summary>Adds an output. The names of outputs are contracts; a value of the model that has one by chance gives it up.</summary>
    public static void Add(Expr value, string name)
    {
        var graph = value.Tape.Graph;
        if (graph.Find(name) is { } taken && taken != value.Value) graph.Rename(taken, $"model/{name}");
        if (value.Value.Name != name) graph.Rename(value.Value, name);
        graph.AddOutput(value.Value);
    }

    /// <summary>Adds the output that metrics read: the scores; of scores for each token, which may be as wide as a vocabulary, the index
    /// of the largest.</summary>
    /// <param name="tape">The graph.</param>
    /// <param name="scores">The value that the loss is made of.</param>
    /// <returns>Its name.</returns>
    public static string AddMeasured(Tape tape, Value scores)
    {
        if (scores.Shape?.Rank == 3) Add(tape[scores].Apply("ArgMax", ("axis", -1), ("keepdims", 0)), TrainingNames.Likeliest);
        else tape.Graph.AddOutput(scores);
        return tape.Graph.Outputs[^1].Name;
    }

    /// <summary>Takes out what no output needs and widens quantised weights only where they are used.</summary>
    /// <remarks>
    /// Every shape is stated: ONNX Runtime's own inference loses most of them, and its planner, which looks for a buffer of the same shape
    /// to use again, then searches all that it ever freed (13 s instead of 2 s for 6,000 nodes; quadratic in the number of layers).
    /// </remarks>
    public static void Finish(Graph graph)
    {
        graph.IsDeclared = true;
        LateDequantize.InProducts(new Tape(graph));
        graph.RemoveUnused();
        graph.RemoveUnusedInputs();
        graph.Sort();
    }
}
