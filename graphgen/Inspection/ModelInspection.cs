using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Inspection;

/// <summary>What <c>lorta inspect</c> reports of a model.</summary>
public sealed record ModelInspection
{
    /// <summary>File name.</summary>
    public required string Model { get; init; }

    /// <summary>Tool that wrote the file.</summary>
    public required string Producer { get; init; }

    /// <summary>Version of the file format.</summary>
    public required long IrVersion { get; init; }

    /// <summary>Version of each operator set.</summary>
    public required IReadOnlyDictionary<string, long> Opsets { get; init; }

    /// <summary>Model width.</summary>
    public required int Hidden { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Width of one head.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Numbers that the graph computes with, see <see cref="ParameterCount"/>.</summary>
    public required long Parameters { get; init; }

    /// <summary>Tasks that the outputs fit.</summary>
    public required IReadOnlyList<string> Tasks { get; init; }

    /// <summary>Most positions of a row, as far as the graph says it; null where it does not.</summary>
    public required long? Positions { get; init; }

    /// <summary>Whether no token sees those behind it.</summary>
    [JsonIgnore]
    public bool IsCausal { get; init; }

    /// <summary>Inputs in order, without those that the file stores a value of (weights, optional factors of adapters).</summary>
    public required IReadOnlyList<Port> Inputs { get; init; }

    /// <summary>Outputs in order.</summary>
    public required IReadOnlyList<Port> Outputs { get; init; }

    /// <summary>Self-attention in the order of the data.</summary>
    public required IReadOnlyList<Layer> Layers { get; init; }

    /// <summary>What was not understood or was left alone.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Why nothing can be adapted, LRT201 without attention and LRT202 where it was not understood; null where a layer
    /// is.</summary>
    [JsonIgnore]
    public LortaException? Failure => Layers.Count > 0 ? null
        : Findings.Count == 0 ? DiscoveryErrors.NoAttention(Model)
        : DiscoveryErrors.NotUnderstood(Model, Findings);

    /// <summary>The report as JSON.</summary>
    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, InspectionJson.Default.ModelInspection)!.AsObject();

    /// <summary>Inspects a model.</summary>
    /// <param name="understood">The model and its attention.</param>
    public static ModelInspection Of(UnderstoodModel understood)
    {
        var (model, map, deployed) = (understood.Canonical, understood.Map, understood.Deployed);
        return new ModelInspection
        {
            Model = deployed.FileName,
            Producer = deployed.Producer,
            IrVersion = deployed.IrVersion,
            Opsets = deployed.Opsets.ToDictionary(opset => Ir.OnnxOpsets.NameOf(opset.Key), opset => opset.Value, StringComparer.Ordinal),
            Hidden = map.Hidden,
            Heads = map.Heads,
            KvHeads = map.KvHeads,
            HeadWidth = map.HeadWidth,
            Parameters = ParameterCount.Of(model),
            Tasks = SuitableTasks.Of(model),
            Positions = PositionTable.Tokens(deployed),
            IsCausal = SuitableTasks.IsCausal(model),
            Inputs = [.. deployed.Graph.Inputs.Where(input => !input.IsStored).Select(Port.Of)],
            Outputs = [.. deployed.Graph.Outputs.Select(Port.Of)],
            Layers = [.. map.Layers.Select(layer => Layer.Of(layer, deployed))],
            Findings = map.Findings,
        };
    }

    /// <summary>An input or output.</summary>
    /// <param name="Name">Name.</param>
    /// <param name="Type">Element type.</param>
    /// <param name="Shape">Sizes: numbers, or names of those that vary; null where the rank is not known.</param>
    public sealed record Port(string Name, string Type, IReadOnlyList<object>? Shape)
    {
        internal static Port Of(Value value) =>
            new(
                value.Name,
                value.Type.Display(),
                value.Shape is { } shape ? [.. shape.Select(dim => dim.Value is { } size ? (object)size : dim.ToString())] : null);
    }

    /// <summary>One self-attention and its MLP.</summary>
    /// <param name="Index">Position in the order of the data.</param>
    /// <param name="Q">Queries.</param>
    /// <param name="K">Keys.</param>
    /// <param name="V">Values.</param>
    /// <param name="P">Output projection.</param>
    public sealed record Layer(int Index, Site? Q, Site? K, Site? V, Site? P)
    {
        /// <summary>The MLP's linear layer in front of the activation, where another one is multiplied with the result.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public Site? Gate { get; init; }

        /// <summary>The MLP's first linear layer, or the one beside <see cref="Gate"/>.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public Site? Up { get; init; }

        /// <summary>The MLP's last linear layer.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public Site? Down { get; init; }

        /// <summary>The linear layers by name; one of attention that was not understood is null, what an MLP does not have is left
        /// out.</summary>
        [JsonIgnore]
        public IEnumerable<(string Name, Site? Site)> Sites =>
        [
            ("q", Q), ("k", K), ("v", V), ("p", P),
            .. new[] { ("gate", Gate), ("up", Up), ("down", Down) }.Where(site => site.Item2 is not null),
        ];

        internal static Layer Of(AttentionLayer layer, OnnxModel deployed)
        {
            Site? Read(Projection? site) => Site.Of(site, deployed);
            return new(layer.Index, Read(layer.Q), Read(layer.K), Read(layer.V), Read(layer.P))
            {
                Gate = Read(layer.Gate),
                Up = Read(layer.Up),
                Down = Read(layer.Down),
            };
        }
    }

    /// <summary>A linear layer in the deployed file.</summary>
    public sealed record Site
    {
        /// <summary>The node that applies the weight.</summary>
        public required string Node { get; init; }

        /// <summary>Its operator.</summary>
        public required string Op { get; init; }

        /// <summary>Its first output.</summary>
        public required string Output { get; init; }

        /// <summary>The tensor that stores the weight.</summary>
        public required string Weight { get; init; }

        /// <summary>How the stored matrix lies: <c>in_out</c> or <c>out_in</c>.</summary>
        public required string Layout { get; init; }

        /// <summary>Input width.</summary>
        public required int In { get; init; }

        /// <summary>Output width.</summary>
        public required int Out { get; init; }

        /// <summary>Heads; null in an MLP.</summary>
        public required int? Heads { get; init; }

        /// <summary>Output features inside the stored matrix.</summary>
        [JsonIgnore]
        public FeatureRanges Features { get; init; } = [];

        /// <summary>The same as numbers: [start, end], or a list of such where heads interleave.</summary>
        public IReadOnlyList<object> Columns => NumbersOf(Features);

        /// <summary>Operators between the stored weight and the product.</summary>
        public required IReadOnlyList<string> Through { get; init; }

        /// <summary>The tensor that stores the bias.</summary>
        public required string? Bias { get; init; }

        /// <summary>Features inside the stored bias.</summary>
        public required IReadOnlyList<object>? BiasColumns { get; init; }

        /// <summary>The node that adds the bias.</summary>
        public required string? BiasNode { get; init; }

        /// <summary>How the stored weight is quantised; null where it is not.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
        public Quantized? Quantization { get; init; }

        /// <summary>Operator of the attention in the deployed file.</summary>
        [JsonIgnore]
        public string Attention { get; init; } = string.Empty;

        /// <summary>The forms between attention and this layer, from attention on.</summary>
        [JsonIgnore]
        public IReadOnlyList<string> Forms { get; init; } = [];

        /// <summary>Element type of the stored weight.</summary>
        [JsonIgnore]
        public string StoredType { get; init; } = string.Empty;

        internal static Site? Of(Projection? site, OnnxModel deployed) => site is null ? null : new Site
        {
            StoredType = deployed.Graph.Find(site.Stored.Weight)?.Type.Display() ?? string.Empty,
            Node = site.Stored.Node,
            Op = site.Stored.Op,
            Output = site.Stored.Output,
            Weight = site.Stored.Weight,
            Layout = site.Stored.Layout is Weights.Layout.OutIn ? "out_in" : "in_out",
            In = site.In,
            Out = site.Out,
            Heads = site.Heads,
            Features = site.Stored.Columns,
            Through = site.Stored.Through,
            Bias = site.Stored.Bias,
            BiasColumns = site.Stored.BiasColumns is { } columns ? NumbersOf(columns) : null,
            BiasNode = site.Stored.BiasNode,
            Attention = site.Attention,
            Forms = site.Forms,
            Quantization = site.Stored.Codes is { } codes
                ? new Quantized(codes.Describe(), codes.Bits, Math.Max(codes.BlockRows, codes.BlockColumns), codes.Scales, codes.ZeroPoints)
                : null,
        };

        private static IReadOnlyList<object> NumbersOf(FeatureRanges ranges) =>
            ranges is [var (start, end)] ? [start, end] : [.. ranges.Select(range => (object)new[] { range.Start, range.End })];
    }

    /// <summary>How a stored weight is quantised.</summary>
    /// <param name="Kind">Type and blocks, for people.</param>
    /// <param name="Bits">Bits of a code.</param>
    /// <param name="BlockSize">Numbers that share a scale.</param>
    /// <param name="Scales">The tensor of scales.</param>
    /// <param name="ZeroPoints">The tensor of zero points; null = the middle of the codes.</param>
    public sealed record Quantized(string Kind, int Bits, long BlockSize, string Scales, string? ZeroPoints);
}

// Without reflection, so that programs with this library can be trimmed. Sizes and ranges are lists of what is named below.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelInspection))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(long[]))]
internal sealed partial class InspectionJson : JsonSerializerContext;
