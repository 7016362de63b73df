namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Dimensions of a model's own parameters in PyTorch's orientation, told without reading them.</summary>
internal static class ParameterShapes
{
    /// <summary>[out, in] of a linear layer's weight, [out] of an omitted bias; null where the model has no such parameter.</summary>
    public static IReadOnlyList<long>? Of(OnnxModel deployed, IReadOnlyList<ParameterName> names, string name)
    {
        if (names.FirstOrDefault(candidate => candidate.Name == name) is not { } stored)
            return OmittedBias.Product(deployed, names, name) is null ? null : [Of(deployed, names, OmittedBias.WeightOf(name))![0]];
        var tensor = deployed.Graph.Find(stored.Initializer)!.Constant!;
        if (tensor.Rank != 2 && !tensor.Type.IsFloat())   // blocks of codes
            throw ParameterErrors.CannotTrain(name, $"it is stored as {tensor.Type.Display()}");
        if (tensor.Rank != 2) return tensor.Rank == 1 && stored.Slice is { } part ? [part.End - part.Start] : tensor.Dims;
        var matrix = ModelParameters.MatrixOf(tensor, stored);
        return [matrix.Out, matrix.In];
    }
}
