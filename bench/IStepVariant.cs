namespace LoRTA.Onnx.Bench;

/// <summary>One way to run one optimizer step (or a part of it) on the batch of a <see cref="Models.RobertaShape"/>.</summary>
internal interface IStepVariant : IDisposable
{
    string Name { get; }

    /// <summary>Runs one step and returns its loss.</summary>
    float Step();
}
