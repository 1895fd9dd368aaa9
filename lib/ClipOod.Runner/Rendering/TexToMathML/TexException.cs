namespace ClipOod.Runner.Rendering;

/// <summary>A formula that cannot be converted: an unknown command, an unclosed group, a misplaced sign.</summary>
/// <param name="message">What is wrong with the formula.</param>
/// <param name="position">Where, as an index into the formula's characters.</param>
internal sealed class TexException(string message, int position) : Exception(message)
{
    /// <summary>Where the problem is: an index into the formula's characters.</summary>
    public int Position { get; } = position;
}
