namespace ClipOod.Runner.Rendering;

/// <summary>What a site says of itself, beside its notebooks.</summary>
/// <param name="Title">Title of the index and first words of every page's bar.</param>
/// <param name="Subtitle">One or two sentences under the title; may be empty.</param>
/// <param name="Links">Links shown on the index, such as to the source.</param>
public sealed record SiteOptions(string Title, string Subtitle = "", params IReadOnlyList<SiteLink> Links);

/// <summary>A link on the index.</summary>
/// <param name="Text">The words of the link.</param>
/// <param name="Address">Where it leads: an address, or a path relative to the index.</param>
public sealed record SiteLink(string Text, string Address);
