namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Runs small graphs on tensors: folding, conversion and ΔW are computed by the graphs that the families state
/// themselves.</summary>
/// <remarks>Stated here and implemented over ONNX Runtime in the training library, so that graphgen and export need no runtime of their
/// own.</remarks>
public interface IGraphEvaluator
{
    /// <summary>The families that the graphs are written by.</summary>
    LortaCatalog Catalog => LortaCatalog.Default;

    /// <summary>Makes a model ready to run many times.</summary>
    /// <param name="model">The model; its constants may lie in files and are not copied.</param>
    ICompiledGraph Compile(OnnxModel model);

    /// <summary>Runs a model once.</summary>
    /// <param name="model">The model; its constants may lie in files.</param>
    /// <param name="inputs">A tensor for each input without default, by name.</param>
    /// <returns>A tensor for each output, by name.</returns>
    IReadOnlyDictionary<string, OnnxTensor> Run(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> inputs)
    {
        using var compiled = Compile(model);
        return compiled.Run(inputs);
    }
}

/// <summary>A model that is ready to run.</summary>
public interface ICompiledGraph : IDisposable
{
    /// <summary>Runs it.</summary>
    /// <param name="inputs">A tensor for each input without default, by name; others are left out.</param>
    /// <returns>A tensor for each output, by name.</returns>
    IReadOnlyDictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> inputs);
}
