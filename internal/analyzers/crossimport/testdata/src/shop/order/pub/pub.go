package pub
