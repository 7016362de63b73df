namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>A model that computes its loss itself: a named output of one number, by default <c>loss</c>.</summary>
internal sealed class NamedLoss : ILoss
{
    public string Name => "loss";

    public LossValue Emit(LossCall model)
    {
        var (tape, name) = (model.Tape, model.AskedOutput ?? "loss");
        var loss = tape.Graph.Outputs.FirstOrDefault(value => value.Name == name && value.Type.IsFloat() && value.Shape?.Size.Is(1) == true)
            ?? throw LossErrors.NoOutput(tape.Graph, Name, $"an output '{name}' of one number");
        return new(loss.Rank == 0 ? tape[loss] : tape[loss].Total());
    }

    /// <summary>Labels of tokens are those of the next ones, as causal language models that compute their loss themselves have
    /// them.</summary>
    public long CountLabels(OnnxTensor labels) => labels.Rank == 2 ? TaskLosses.CountNextTokens(labels) : labels.Count;
}
