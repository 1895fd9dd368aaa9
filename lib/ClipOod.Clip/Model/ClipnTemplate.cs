namespace ClipOod.Clip;

/// <summary>
/// A sentence and its negation, which training of CLIPN draws together (Wang et al. 2023, arXiv 2308.12213, and the hand-crafted folder of the
/// released code). Each holds <see cref="PromptTemplates.Placeholder"/> once, where the caption or class name goes.
/// </summary>
/// <param name="Yes">What the text tower reads, such as "a photo of {}"; "{}" for captions that are sentences.</param>
/// <param name="No">What the "no" tower reads, such as "a photo without {}".</param>
/// <param name="Keyword">
/// The words of the negation before the placeholder, such as "without", whose token vectors are learned: the learnable prompts as the
/// paper's text has them. Null: nothing but the tower is learned.
/// </param>
public sealed record ClipnTemplate(string Yes, string No, string? Keyword = null)
{
    /// <summary>A pool of negations for class names or short noun phrases.</summary>
    public static IReadOnlyList<ClipnTemplate> Pool { get; } =
    [
        .. from picture in (string[])["photo", "picture", "drawing", "painting"]
           from no in (string[])["without", "not containing", "with no", "not showing"]
           select new ClipnTemplate($"a {picture} of {{}}", $"a {picture} {no} {{}}"),
    ];

    /// <summary>The places of the keyword's tokens in the negated sentence; the start token has place 0.</summary>
    internal Range KeywordPlaces(ClipTokenizer tokenizer)
    {
        int at = Keyword is null ? -1 : No.IndexOf(Keyword, StringComparison.Ordinal);
        if (at < 0 || at > No.IndexOf(PromptTemplates.Placeholder, StringComparison.Ordinal))
        {
            throw new ArgumentException($"Expected the keyword \"{Keyword}\" before {PromptTemplates.Placeholder} in \"{No}\".");
        }

        int first = 1 + tokenizer.Encode(No[..at]).Length;
        return first..(first + tokenizer.Encode(Keyword!).Length);
    }
}
