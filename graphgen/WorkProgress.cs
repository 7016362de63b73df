namespace LoRTA.Onnx.GraphGen;

/// <summary>How far a piece of work is.</summary>
/// <param name="What">What is counted, for instance <c>rows evaluated</c>; another text is another piece of work.</param>
/// <param name="Done">How many are done.</param>
/// <param name="All">How many there are; 0 = the work is not counted.</param>
public sealed record WorkProgress(string What, long Done, long All)
{
    /// <summary>Work of which only the time is known. It ends where the next piece of work begins.</summary>
    /// <param name="what">What is done, for instance <c>writing the model</c>.</param>
    public static WorkProgress Uncounted(string what) => new(what, 0, 0);

    /// <summary>Whether all of it is done.</summary>
    public bool IsDone => All > 0 && Done >= All;
}
