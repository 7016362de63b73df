using static LoRTA.Onnx.GraphGen.Tests.Autodiff.GradientInput;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

/// <summary>Rows of the table of gradient tests for feature maps (convolutions, pools, norms of channels, other resolutions) and for whole losses.</summary>
internal static class FeatureMapTable
{
    public static readonly IReadOnlyList<GradientCase> All = [.. Convolutions(), .. Pools(), .. Resizing(), .. Norms(), .. Losses()];

    private static IEnumerable<GradientCase> Convolutions() =>
    [
        new("Conv", Any(2, 4, 7), Any(3, 4, 3), Any(3)) { Attributes = [("pads", new long[] { 1, 1 })] },
        new("Conv", Any(2, 3, 8), Any(2, 3, 3)) { Note = "dilated, uneven padding", Attributes = [("dilations", new long[] { 2 }), ("pads", new long[] { 2, 1 })] },
        new("Conv", Any(1, 2, 5, 6), Any(3, 2, 2, 3)) { Note = "two dimensions" },
        new("Conv", Any(2, 2, 8), Any(3, 2, 3)) { Note = "a stride that leaves a rest", Symbolic = false, Attributes = [("strides", new long[] { 2 })] },
        new("Conv", Any(1, 2, 7, 6), Any(2, 2, 3, 2), Any(2)) { Note = "strides, padding and dilation", Symbolic = false, Attributes = [("strides", new long[] { 2, 3 }), ("pads", new long[] { 1, 0, 0, 1 }), ("dilations", new long[] { 1, 2 })] },
        new("Conv", Any(1, 2, 8), Any(2, 2, 3)) { Note = "automatic padding", Symbolic = false, Attributes = [("auto_pad", "SAME_UPPER")] },
        new("Conv", Any(1, 2, 8, 7), Any(2, 2, 4, 3)) { Note = "automatic padding and strides", Symbolic = false, Attributes = [("auto_pad", "SAME_LOWER"), ("strides", new long[] { 2, 2 })] },
        new("Conv", Any(2, 4, 6), Any(6, 2, 3)) { Note = "two groups, weight and all", Symbolic = false, Attributes = [("group", 2L), ("pads", new long[] { 1, 1 })] },
        new("Conv", Any(2, 4, 5, 5), Any(4, 1, 3, 3), Any(4)) { Note = "one kernel per channel, trained, stride 2", Symbolic = false, Attributes = [("group", 4L), ("strides", new long[] { 2, 2 }), ("pads", new long[] { 1, 1, 1, 1 })] },
        new("ConvTranspose", Any(2, 3, 5), Any(3, 2, 3), Any(2)) { Attributes = [("pads", new long[] { 1, 1 })] },
        new("ConvTranspose", Any(1, 2, 3, 4), Any(2, 3, 3, 2)) { Note = "strides and dilation", Symbolic = false, Attributes = [("strides", new long[] { 2, 3 }), ("dilations", new long[] { 2, 1 })] },
        new("ConvTranspose", Any(1, 2, 4), Any(2, 3, 3)) { Note = "output padding", Symbolic = false, Attributes = [("strides", new long[] { 3 }), ("output_padding", new long[] { 2 })] },
        new("ConvTranspose", Any(2, 4, 4), Any(4, 2, 3)) { Note = "two groups", Symbolic = false, Attributes = [("group", 2L), ("strides", new long[] { 2 })] },
        new("Conv", Any(2, 4, 7), Fixed([4, 1, 3], Enumerable.Range(0, 12).Select(i => 0.3f - (0.05f * i)).ToArray()), Any(4)) { Note = "one kernel per channel", Attributes = [("group", 4L), ("pads", new long[] { 1, 1 })] },
    ];

    private static IEnumerable<GradientCase> Pools() =>
    [
        new("MaxPool", Apart(2, 2, 7)) { Attributes = [("kernel_shape", new long[] { 3 }), ("strides", new long[] { 2 })] },
        new("MaxPool", Apart(1, 2, 5, 4)) { Note = "overlapping, padded, dilated", Attributes = [("kernel_shape", new long[] { 2, 3 }), ("pads", new long[] { 1, 1, 0, 1 }), ("dilations", new long[] { 2, 1 })] },
        new("AveragePool", Any(2, 2, 7)) { Attributes = [("kernel_shape", new long[] { 3 }), ("strides", new long[] { 2 })] },
        new("AveragePool", Any(1, 2, 5, 4)) { Note = "padding that does not count", Attributes = [("kernel_shape", new long[] { 2, 3 }), ("pads", new long[] { 1, 1, 0, 1 })] },
        new("AveragePool", Any(1, 2, 5)) { Note = "padding that counts", Attributes = [("kernel_shape", new long[] { 3 }), ("pads", new long[] { 1, 1 }), ("count_include_pad", 1)] },
        new("AveragePool", Any(1, 2, 6)) { Note = "a part of a window", Attributes = [("kernel_shape", new long[] { 3 }), ("strides", new long[] { 2 }), ("ceil_mode", 1)] },
        new("LpPool", Any(1, 2, 6)) { Attributes = [("kernel_shape", new long[] { 3 }), ("strides", new long[] { 2 })] },
        new("LpPool", Apart(1, 2, 5)) { Note = "third power", Attributes = [("kernel_shape", new long[] { 2 }), ("p", 3L)] },
        new("GlobalAveragePool", Any(2, 3, 4, 2)),
        new("GlobalMaxPool", Apart(2, 3, 4)),
        new("GlobalLpPool", Any(2, 3, 4)),
        new("GlobalLpPool", Apart(2, 3, 4)) { Note = "third power", Attributes = [("p", 3L)] },
    ];

    private static IEnumerable<GradientCase> Resizing() =>
    [
        .. from mode in new[] { "nearest", "linear", "cubic" }
           from scale in new[] { 2f, 1.6f, 0.6f }
           select new GradientCase("Resize", Any(1, 2, 5, 5), null, Fixed([4], 1, 1, scale, scale)) { Note = $"{mode} {scale}", Attributes = [("mode", mode)] },
        new("Resize", Any(1, 2, 4, 3), null, null, Longs(1, 2, 7, 5)) { Note = "to sizes", Attributes = [("mode", "linear"), ("coordinate_transformation_mode", "align_corners")] },
        new("Resize", Any(1, 2, 4, 6), null, null, Longs(8, 3)) { Note = "axes", Attributes = [("mode", "nearest"), ("axes", new long[] { 2, 3 }), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")] },
        new("Resize", Any(1, 1, 8, 6), null, Fixed([4], 1, 1, 0.5f, 0.5f)) { Note = "antialiased", Attributes = [("mode", "linear"), ("antialias", 1L)] },
        new("DepthToSpace", Any(1, 8, 2, 3)) { Attributes = [("blocksize", 2L)] },
        new("DepthToSpace", Any(2, 8, 2, 3)) { Note = "blocks of a channel", Attributes = [("blocksize", 2L), ("mode", "CRD")] },
        new("SpaceToDepth", Any(1, 2, 4, 6)) { Attributes = [("blocksize", 2L)] },
    ];

    private static IEnumerable<GradientCase> Losses() =>
    [
        .. from reduction in new[] { "mean", "sum", "none" }
           from op in new[] { "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss" }
           select new GradientCase(op, Any(3, 4), Longs(1, 0, 3)) { Note = reduction, Attributes = [("reduction", reduction)] },
        new("NegativeLogLikelihoodLoss", Any(2, 3, 4), Fixed<long>([2, 4], 0, 2, 1, 1, 2, 0, 0, 1), Fixed([3], 0.5f, 2, 1)) { Note = "weights and an ignored class", Attributes = [("ignore_index", 2L)] },
        new("SoftmaxCrossEntropyLoss", Any(2, 3, 4), Fixed<long>([2, 4], 0, -100, 1, 1, 2, 0, 0, -100), Fixed([3], 0.5f, 2, 1)) { Note = "weights, an ignored class, both outputs", Outputs = 2, Attributes = [("ignore_index", -100L)] },
    ];

    private static IEnumerable<GradientCase> Norms() =>
    [
        new("GroupNormalization", Any(2, 6, 4), Any(6), Any(6)) { Attributes = [("num_groups", 3L), ("epsilon", 1e-3f)] },
        new("GroupNormalization", Any(2, 4, 3, 2), Any(4), Any(4)) { Note = "one group", Attributes = [("num_groups", 1L)] },
        new("InstanceNormalization", Any(2, 3, 4, 2), Any(3), Any(3)),
        new("BatchNormalization", Any(2, 3, 4), Any(3), Any(3), Any(3), Positive(3)),
        new("BatchNormalization", Any(2, 3), Any(3), Any(3), Any(3), Positive(3)) { Note = "vectors" },
        new("LpNormalization", Any(2, 3, 4)),
        new("LpNormalization", Apart(2, 3, 4)) { Note = "of absolute values, axis 1", Attributes = [("p", 1L), ("axis", 1L)] },
        new("MeanVarianceNormalization", Any(2, 3, 4, 2)),
        new("MeanVarianceNormalization", Any(2, 3, 4)) { Note = "last axis", Attributes = [("axes", new long[] { -1 })] },
        new("LRN", Any(1, 6, 2, 3)) { Symbolic = false, Attributes = [("size", 3L), ("alpha", 0.6f), ("beta", 0.7f), ("bias", 1.2f)] },
    ];
}
