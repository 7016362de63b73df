using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>A model that computes its loss itself: a named output of one number, by default <c>loss</c>.</summary>
internal sealed class NamedLoss : ITaskLoss
{
    public string Name => "loss";

    public (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null)
    {
        var name = output ?? "loss";
        var loss = tape.Graph.Outputs.FirstOrDefault(value => value.Name == name && value.Type.IsFloat() && value.Shape?.Size.Is(1) == true)
            ?? throw LossErrors.NoOutput(tape.Graph, Name, $"an output '{name}' of one number");
        return (loss.Rank == 0 ? tape[loss] : tape[loss].Total(), null);
    }

    /// <summary>Labels of tokens are those of the next ones, as causal language models that compute their loss themselves have
    /// them.</summary>
    public long Count(OnnxTensor labels) => labels.Rank == 2 ? TaskLosses.CountNextTokens(labels) : labels.Count;
}
