namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>A stored matrix of numbers, whatever the file keeps them in.</summary>
internal interface IStoredNumbers
{
    long Rows { get; }

    long Columns { get; }

    /// <summary>Relative rounding of a stored float, 0 for float32 and for codes.</summary>
    double Rounding { get; }

    /// <summary>All numbers [rows, columns], row-major.</summary>
    float[] Read();

    /// <summary>One number.</summary>
    float ReadAt(long row, long column);

    /// <summary>The step between two codes where a number is quantised, else 0.</summary>
    float StepAt(long row, long column);
}

/// <summary>Numbers of a float type.</summary>
/// <param name="Stored">The tensor.</param>
/// <param name="Rows">Rows, where the tensor is read as a matrix.</param>
/// <param name="Columns">Columns.</param>
internal sealed record FloatNumbers(OnnxTensor Stored, long Rows, long Columns) : IStoredNumbers
{
    public FloatNumbers(OnnxTensor matrix)
        : this(matrix, matrix.Dims[0], matrix.Dims[1])
    {
    }

    // Half the distance of two numbers, relative, and some room: 2⁻¹¹ and 2⁻⁹.
    public const double Float16Rounding = 1e-3;
    public const double BFloat16Rounding = 4e-3;

    public double Rounding => Stored.Type switch
    {
        ElementType.Float16 => Float16Rounding,
        ElementType.BFloat16 => BFloat16Rounding,
        _ => 0,
    };

    public float[] Read() => Stored.ToFloats();

    public float StepAt(long row, long column) => 0;

    public float ReadAt(long row, long column) => Stored.ElementAt((row * Columns) + column);
}
