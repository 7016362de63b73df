namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Runs small graphs on tensors: folding, conversion and ΔW are computed by the graphs that the families state themselves.</summary>
/// <remarks>Stated here and implemented over ONNX Runtime in the training library, so that graphgen and export need no runtime of their own.</remarks>
public interface IGraphEvaluator
{
    /// <summary>Runs a model once.</summary>
    /// <param name="model">The model; its constants may lie in files.</param>
    /// <param name="inputs">A tensor for each input without default, by name.</param>
    /// <returns>A tensor for each output, by name.</returns>
    IReadOnlyDictionary<string, Tensor> Run(Model model, IReadOnlyDictionary<string, Tensor> inputs);
}
