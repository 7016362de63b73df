using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

internal sealed record ParameterName(string Name, string Initializer, bool Transposed, (int Axis, long Start, long End)? Slice, IReadOnlyList<string> Also);

internal static class ParameterNames
{
    public static IReadOnlyList<ParameterName> Of(Model deployed) =>
        [.. deployed.Graph.Initializers.Select(value => new ParameterName(value.Name, value.Name, false, null, []))];
}
