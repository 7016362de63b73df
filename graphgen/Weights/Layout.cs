namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>How the matrix of a linear layer lies.</summary>
public enum Layout
{
    /// <summary>[in, out]: y = x·W.</summary>
    InOut,

    /// <summary>[out, in], the transpose, as PyTorch has it: y = x·Wᵀ.</summary>
    OutIn,
}

/// <summary>Changes of layout.</summary>
internal static class Layouts
{
    /// <summary>The layout of the transpose; the same where it is none.</summary>
    public static Layout Transposed(this Layout layout, bool isTransposed) =>
        layout == Layout.OutIn ^ isTransposed ? Layout.OutIn : Layout.InOut;

    /// <summary>The layout that an attribute of a product states: Gemm's <c>transB</c>.</summary>
    public static Layout OfTransB(long transB) => transB == 1 ? Layout.OutIn : Layout.InOut;
}
