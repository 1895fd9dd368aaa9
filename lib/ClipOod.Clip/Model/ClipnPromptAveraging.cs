namespace ClipOod.Clip;

/// <summary>Where CLIPN's learned prompts become one feature in inference (Wang et al. 2023; the released code has both, the second as a comment).</summary>
public enum ClipnPromptAveraging
{
    /// <summary>The mean of the prompts is added to the text, which is encoded once: the released code.</summary>
    BeforeEncoder,

    /// <summary>The text is encoded with each prompt, and the features, not normalised, are averaged: as many times the work.</summary>
    AfterEncoder,
}
