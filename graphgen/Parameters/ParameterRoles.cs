using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>Which inputs of which operators are parameters.</summary>
internal static class ParameterRoles
{
    private static readonly FrozenDictionary<string, Role[]> Roles = new Dictionary<string, Role[]>(StringComparer.Ordinal)
    {
        ["MatMul"] = [Role.Product(1)],
        ["Gemm"] = [Role.Product(1), Role.Bias(2)],
        ["Conv"] = [Role.Product(1), Role.Kernel(1), Role.Bias(2)],
        ["ConvTranspose"] = [Role.Kernel(1), Role.Bias(2)],
        ["MatMulInteger"] = [Role.Product(1)],
        [OrtOps.FusedMatMul] = [Role.Product(1)],
        [OrtOps.DynamicQuantizeMatMul] = [Role.Product(1)],
        [OrtOps.MatMulNBits] = [Role.Weight(1)],
        ["Gather"] = [Role.Weight(0)],
        [OrtOps.GatherBlockQuantized] = [Role.Weight(0)],
        ["Add"] = [Role.Bias(0), Role.Bias(1)],
        ["Mul"] = [Role.Scale(0), Role.Scale(1)],
        [OrtOps.BiasGelu] = [Role.Bias(1, BiasModule)],
        ["LayerNormalization"] = [Role.Scale(1, NormModule), Role.Bias(2, NormModule)],
        ["BatchNormalization"] = [Role.Scale(1), Role.Bias(2)],   // the statistics of the batch are no parameters
        ["InstanceNormalization"] = [Role.Scale(1), Role.Bias(2)],
        ["GroupNormalization"] = [Role.Scale(1), Role.Bias(2)],
        ["RMSNormalization"] = [Role.Scale(1)],
        ["SimplifiedLayerNormalization"] = [Role.Scale(1)],
        [OrtOps.SkipLayerNormalization] = [Role.Scale(2, NormModule), Role.Bias(3, NormModule), Role.Bias(4, BiasModule)],
        [OrtOps.SkipSimplifiedLayerNormalization] = [Role.Scale(2), Role.Bias(3, BiasModule)],
        [OrtOps.EmbedLayerNormalization] = [Role.Weight(2, OwnModule), Role.Weight(3, OwnModule), Role.Weight(4, OwnModule),
            Role.Scale(5, NormModule), Role.Bias(6, NormModule)],
        [OrtOps.Attention] = [Role.Product(1), Role.Bias(2)],
        [OrtOps.QAttention] = [Role.Product(1), Role.Bias(2)],
        [OrtOps.MultiHeadAttention] = [Role.Bias(3)],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The parameters that a node applies.</summary>
    public static IEnumerable<AppliedParameter> AppliedBy(Node node)
    {
        // a scale of stored numbers is no parameter of its own
        if (!Roles.TryGetValue(node.Op, out var roles) || (node.Op is "Mul" or "Add" && StoredPath.Of(node.Output) is not null))
            yield break;
        foreach (var role in roles)
        {
            if (StoredTensor.Behind(node.Input(role.Input)) is not { } stored || !role.Fits(stored)) continue;
            var modules = PackedModules.Of(node, stored.Initializer)
                ?? (role.ModuleOf(node, role.Input) is { } module ? [(ModuleScope.PyTorch(module), 0)] : []);
            var isOutIn = node.Op == "Conv" || node.Int("transB", 0) == 1;
            var isTransposed = role.IsProduct && stored.IsTransposed == isOutIn;
            yield return new AppliedParameter(stored.Initializer, role.Leaf, isTransposed, stored.OwnName, modules)
            {
                Matrix = role.IsProduct && stored.Initializer.Rank != 2 ? stored.Matrix : null,
            };
        }
    }

    // Fused norms have lost their module; weight and bias belong to one, and of a pair that shares names with others one keeps its own.
    private static string? NormModule(Node node, int input)
    {
        var first = node.Op switch { OrtOps.EmbedLayerNormalization => 5, OrtOps.SkipLayerNormalization => 2, _ => 1 };
        return ModuleScope.Of(node) ?? OwnModule(node, first + 1) ?? OwnModule(node, first);
    }

    private static string? OwnModule(Node node, int input) =>
        StoredTensor.Behind(node.Input(input))?.OwnName is { } name ? ModuleScope.Parent(name) : null;

    // A bias that went into the operator behind it belongs to the product before.
    private static string? BiasModule(Node node, int input) => OwnModule(node, input)
        ?? node.Inputs.Select(value => value?.Producer).FirstOrDefault(producer => producer is
        {
            Op: "MatMul"
            or OrtOps.MatMulNBits
        }) switch
        { { } product =>
            ModuleScope.Of(product),
            null => null
        };

    private sealed record Role(string Leaf, int Input, bool IsProduct, int MaximalRank, Func<Node, int, string?> ModuleOf)
    {
        private const int MostAxes = 5;

        private bool IsKernel { get; init; }

        public static Role Product(int input) => new("weight", input, true, 2, (node, _) => ModuleScope.Of(node));

        /// <summary>The kernel of a convolution, [out, in, ..]. One of size 1 is the matrix of a product.</summary>
        public static Role Kernel(int input) =>
            new("weight", input, false, MostAxes, (node, _) => ModuleScope.Of(node)) { IsKernel = true };

        public static Role Weight(int input, Func<Node, int, string?>? moduleOf = null) =>
            new("weight", input, false, 3, moduleOf ?? ((node, _) => ModuleScope.Of(node)));

        public static Role Scale(int input, Func<Node, int, string?>? moduleOf = null) =>
            new("weight", input, false, 1, moduleOf ?? ((node, _) => ModuleScope.Of(node)));

        public static Role Bias(int input, Func<Node, int, string?>? moduleOf = null) =>
            new("bias", input, false, 1, moduleOf ?? ((node, _) => ModuleScope.Of(node)));

        // Constants of a formula are no parameters: single numbers, masks, and what the file calls otherwise (inv_freq).
        public bool Fits(StoredTensor stored) =>
            (IsKernel ? HasSize(stored.Initializer) : HasItsRank(stored.Initializer) || (IsProduct && stored.Matrix is not null))
            && stored.Initializer.Constant!.Count > 1
                && stored.Initializer.Type is not (ElementType.Int64 or ElementType.Int32 or ElementType.Bool)
                && !stored.IsNamedOtherwise(Leaf);

        private bool HasSize(Value kernel) => kernel.Rank <= MaximalRank && kernel.Constant!.Dims.Skip(2).Any(size => size > 1);

        private bool HasItsRank(Value tensor) => tensor.Rank >= 1 && tensor.Rank <= MaximalRank && (MaximalRank == 1) == (tensor.Rank == 1);
    }
}

/// <summary>The stored tensor behind a value, and what lies between.</summary>
internal sealed record StoredTensor(Value Initializer, bool IsTransposed, string? OwnName)
{
    /// <summary>Sizes of the stored matrix, whatever axes the tensor has; null where it is none.</summary>
    public (long Rows, long Columns)? Matrix { get; init; }

    /// <summary>Looks through all views, also those that round; null where something is computed.</summary>
    public static StoredTensor? Behind(Value? value)
    {
        if (StoredPath.Of(value) is not { Axes: { } axes } path || path.Stored.Constant is null) return null;
        var name = path.Values.FirstOrDefault(passed => ModuleScope.IsParameter(passed.Name))?.Name;
        if (axes.Dims.Length >= 2 && axes.Matrix() is null && path.Steps.Any(step => step.Effect == ViewEffect.Axes)) return null;
        var matrix = axes.Matrix();
        return new StoredTensor(path.Stored, matrix?.IsTransposed == true, name is null ? null : ModuleScope.PyTorch(name))
        {
            Matrix = matrix is var (_, rows, columns) ? (rows, columns) : null,
        };
    }

    /// <summary>Whether the file itself names it as something else, for instance as a buffer.</summary>
    public bool IsNamedOtherwise(string leaf) =>
        OwnName is null ? ModuleScope.IsPath(Initializer.Name) : !OwnName.EndsWith($".{leaf}", StringComparison.Ordinal);
}

/// <summary>A stored tensor at the place where a node applies it as weight or bias.</summary>
/// <param name="Initializer">The stored tensor.</param>
/// <param name="Leaf"><c>weight</c> or <c>bias</c>.</param>
/// <param name="IsTransposed">Whether it is stored [in, out].</param>
/// <param name="OwnName">The name that the file gives to it, where that is a parameter's name.</param>
/// <param name="Modules">The module that applies it, or those of a packed tensor with their widths; empty where the graph does not
/// say.</param>
internal sealed record AppliedParameter(
    Value Initializer,
    string Leaf,
    bool IsTransposed,
    string? OwnName,
    IReadOnlyList<(string Module, long Width)> Modules)
{
    /// <summary>Sizes of a matrix that is stored with other axes than rows and columns ([1, in, out], flat, the kernel of a Conv); else
    /// null.</summary>
    public (long Rows, long Columns)? Matrix { get; init; }
}
