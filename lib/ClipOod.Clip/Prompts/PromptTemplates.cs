namespace ClipOod.Clip;

/// <summary>
/// The prompt templates of CLIP and of the OOD papers built on it. A template holds <see cref="Placeholder"/> once, where the class
/// name goes; the order within a set has no meaning, because its text features are averaged.
/// </summary>
/// <remarks>Sources: openai/CLIP <c>notebooks/Prompt_Engineering_for_ImageNet.ipynb</c> and <c>data/prompts.md</c>; PLP, arXiv 2303.05828.</remarks>
public static class PromptTemplates
{
    /// <summary>What <see cref="Fill"/> replaces by the class name.</summary>
    public const string Placeholder = "{}";

    private static readonly string[] _articles = ["a", "the"];

    /// <summary>CLIP's single prompt, <c>a photo of a {}.</c></summary>
    public static IReadOnlyList<string> Clip { get; } = ["a photo of a {}."];

    /// <summary>MCM's single prompt: CLIP's without the full stop.</summary>
    public static IReadOnlyList<string> Mcm { get; } = ["a photo of a {}"];

    /// <summary>NegLabel's single prompt for nouns and ID classes.</summary>
    public static IReadOnlyList<string> NegLabel { get; } = ["the nice {}"];

    /// <summary>NegLabel's single prompt for adjectives.</summary>
    public static IReadOnlyList<string> NegLabelAdjective { get; } = ["This is a {} photo"];

    /// <summary>CLIP's single prompt for Food-101.</summary>
    public static IReadOnlyList<string> Food101 { get; } = ["a photo of {}, a type of food."];

    /// <summary>The five templates of PLP ("Adapting CLIP Models for OOD Detection").</summary>
    public static IReadOnlyList<string> Plp5 { get; } =
    [
        "a photo of a {}.", "a blurry photo of a {}.", "a photo of many {}.", "a photo of the large {}.", "a photo of the small {}.",
    ];

    /// <summary>CLIP's 18 templates for CIFAR-10 and CIFAR-100.</summary>
    public static IReadOnlyList<string> Cifar18 { get; } =
    [
        .. from article in _articles
           from quality in (string[])["", "blurry ", "black and white ", "low contrast ", "high contrast ", "bad ", "good "]
           select $"a {quality}photo of {article} {{}}.",
        .. from article in _articles
           from size in (string[])["small", "big"]
           select $"a photo of {article} {size} {{}}.",
    ];

    /// <summary>CLIP's 80 templates for ImageNet.</summary>
    public static IReadOnlyList<string> ImageNet80 { get; } =
    [
        .. from article in _articles
           from picture in (string[])
           [
               "bad photo", "sculpture", "low resolution photo", "rendering", "cropped photo", "tattoo", "bright photo", "dark photo",
               "drawing", "close-up photo", "black and white photo", "painting", "pixelated photo", "jpeg corrupted photo",
               "blurry photo", "good photo", "doodle", "sketch", "rendition", "photo",
           ]
           select $"a {picture} of {article} {{}}.",
        .. from article in _articles from picture in (string[])["graffiti", "art", "itap"] select $"{picture} of {article} {{}}.",
        .. from article in _articles
           from quality in (string[])["hard to see", "clean", "dirty", "cool", "large", "nice", "weird", "small"]
           select $"a photo of {article} {quality} {{}}.",
        .. from article in _articles
           from kind in (string[])["embroidered", "plastic", "origami", "toy", "cartoon", "plushie"]
           select $"{article} {kind} {{}}.",
        .. from article in _articles select $"{article} {{}} in a video game.",
        "a photo of many {}.", "a photo of my {}.", "a photo of one {}.", "itap of my {}.",
    ];

    /// <summary>The seven of <see cref="ImageNet80"/> that CLIP's authors found to do as well together.</summary>
    public static IReadOnlyList<string> ImageNet7 { get; } =
    [
        "itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.", "a {} in a video game.", "art of the {}.",
        "a photo of the small {}.",
    ];

    /// <summary>The prompt for a class.</summary>
    /// <param name="template">Text that holds <see cref="Placeholder"/> exactly once.</param>
    /// <param name="className">The class name, such as <c>tree frog</c>; see <see cref="ClassNames"/>.</param>
    /// <exception cref="ArgumentException">The template lacks the placeholder or has several, or the name is empty.</exception>
    public static string Fill(string template, string className)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentException.ThrowIfNullOrWhiteSpace(className);
        string[] parts = template.Split(Placeholder);
        return parts.Length == 2
            ? parts[0] + className + parts[1]
            : throw new ArgumentException($"A template holds {Placeholder} exactly once, for the class name; got \"{template}\".", nameof(template));
    }

    /// <summary>Every prompt of every class, classes outermost: the prompts of class k are k·T to k·T + T - 1 for T templates.</summary>
    /// <param name="templates">One of the sets above, or other templates; at least one.</param>
    /// <param name="classNames">The class names.</param>
    /// <returns>Classes × templates prompts.</returns>
    /// <exception cref="ArgumentException">There is no template, or <see cref="Fill"/> refuses one.</exception>
    public static IReadOnlyList<string> FillAll(IReadOnlyList<string> templates, IReadOnlyList<string> classNames)
    {
        ArgumentNullException.ThrowIfNull(templates);
        ArgumentNullException.ThrowIfNull(classNames);
        if (templates.Count == 0)
        {
            throw new ArgumentException("Expected at least one template, got none.", nameof(templates));
        }

        return [.. from name in classNames from template in templates select Fill(template, name)];
    }
}
