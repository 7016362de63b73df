using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

/// <summary>An adapter of the family that is called `lorta`, and variants.</summary>
internal static class LortaAdapter
{
    public static readonly FamilyCase Given = FamilyCase.All.First(item => item.Plan.Options.Method == "lorta");

    public static AdapterConfig Config() => AdapterConfig.Of(Given.Plan, new BaseModel("toy.onnx", Given.Plan.Architecture, new WeightSketch(new Dictionary<string, IReadOnlyList<float>> { ["layers.0.q"] = [0.1f, -2, 3, 4, 5, 6, 7, 8] })));

    public static Adapter With(string name, OnnxTensor tensor) => new("a", Config(), new Dictionary<string, OnnxTensor>(Given.Factors) { [name] = tensor });
}
